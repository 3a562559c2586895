"""What a venture looks like outside the app: files for people who do not have it."""
