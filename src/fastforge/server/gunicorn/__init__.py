"""Several server processes under gunicorn: started, replaced and ended without losing a request.

It stands apart because it is loaded only where there are several.
"""
