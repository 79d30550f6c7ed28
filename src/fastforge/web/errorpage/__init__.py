"""The page that a developer's browser is shown in place of an answer that failed.

visitor   who is shown it: nobody but a browser on this machine
values    what may be shown of a variable, whose `repr` is anybody's code
source    lines of a file, with colours
frames    how the code came to where it failed
chain     the exception, and those that led to it
asked     what was asked for, and what the code has read of it
lines     what the request has written to the log
panel     what an app has to tell of a failed request
facts     all of that, gathered
html      the same as a page
text      the same as a text that can be sent to somebody
answer    when it is sent
"""
