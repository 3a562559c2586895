"""What accuracy costs, measured: real Keras runs on real images.

A :class:`~core.training.spec.RunSpec` says what to train; ``core.training.run.train`` trains it and
measures accuracy, seconds, energy and dollars; the worker (``python -m core.training.worker serve``)
does so for every run in the queue, in a process of its own; ``core.training.curve`` turns finished
runs into a curve of accuracy against cost.

Only ``networks``, ``device`` (inside its functions), ``run`` and ``preload`` ever import Keras or its
backend, and only the worker's processes and the command line import those. What a page needs —
``spec``, ``datasets``, ``result``, ``service``, ``curve`` — is plain Python and NumPy.
"""
