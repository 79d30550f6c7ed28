"""Migrations: files of each app, made from the models and applied once to every database.

folders   where an app keeps them, and their ids
files     an app's folder becomes Migration values
history   the migrations of all apps, in an order in which they can run
replay    the files run in memory: the schema that they make (schema, shapes)
changes   what leads from there to the models (questions, refusals, enums)
maker     which migrations are missing; writer: their text (rendering, layout)
ledger    which migrations a database has
runner    applies and takes back, one process at a time (lock)
project   the same for a loaded project
"""
