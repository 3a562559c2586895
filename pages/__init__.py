"""One file a page: load the venture, call core, draw, save."""
