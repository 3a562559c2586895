"""What the fork server holds ready: Keras, its backend, MNIST and the reader of tables.

Every run is a fork of the process that imported this module. That works only as long as nothing here
makes a tensor, a layer or a thread: TensorFlow, once started, does not survive a fork. The garbage
collector is off meanwhile (a fifth of the import time), and what is there afterwards is frozen, so that
the collector of a forked run does not touch, and thereby copy, the shared pages. The other data sets are
small: a run that wants one opens it in a fraction of a second.
"""

import gc

gc.disable()

import keras  # noqa: E402, F401

from core.training import child, datasets, run  # noqa: E402, F401

for _data in (datasets.MNIST, datasets.IRIS):
    datasets.load(_data.key)

gc.enable()
gc.freeze()
