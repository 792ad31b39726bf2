"""The command line: one file a topic, imported when its command is used."""
