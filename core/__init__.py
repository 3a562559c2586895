"""Compute Canvas without a screen: the venture, its money, its compute, its training runs.

Nothing in here imports Streamlit. ``python -m core`` does from a shell what the pages do in a
browser, through the same functions.
"""
