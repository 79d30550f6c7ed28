"""The commands of users: createuser, createsuperuser, changepassword."""
