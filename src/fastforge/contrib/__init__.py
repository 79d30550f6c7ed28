"""Apps that come with the framework; each is installed by naming it in INSTALLED_APPS."""
