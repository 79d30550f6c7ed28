"""Ready routes for users: to log in and out, to see oneself, to change the password."""
