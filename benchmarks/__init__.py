"""What performance claims rest on; each prints what it measured."""
