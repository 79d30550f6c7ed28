"""Write the files that run the project, worked out from its settings.

Nothing is written over unless --force is given. --diff writes nothing: it shows what would change,
and the exit code is 1 when something would.
"""
