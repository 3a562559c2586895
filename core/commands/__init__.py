"""What ``python -m core`` can do, one module for each part of the product; each adds its words to the parser."""
