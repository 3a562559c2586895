"""Values in, Plotly figures out, as plain dicts in one theme.

A figure is a dict because building one with ``go.Figure().add_scatter`` costs four times as much,
and because the browser needs nothing else.
"""
