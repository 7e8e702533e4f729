"""Polyak averaging: the weights that are kept are a running mean of the trained ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import tensorflow as tf


class RunningMean(tf.Module):
    """Exponential mean of a model's variables, batch norm statistics included.

    Polyak and Juditsky 1992. Early means forget faster, so that the random start does not linger.
    """

    def __init__(self, model: keras.Model, decay: float = 0.998) -> None:
        super().__init__()
        self._variables = [weight.value for weight in model.weights]
        self._means = [tf.Variable(value, trainable=False) for value in self._variables]
        self._count = tf.Variable(0.0, trainable=False)
        self._decay = decay

    def update(self) -> None:
        """Takes in the current weights; call it after every optimiser step."""
        self._count.assign_add(1.0)
        decay = tf.minimum(self._decay, self._count / (9.0 + self._count))
        for mean, variable in zip(self._means, self._variables, strict=True):
            mean.assign_sub((1.0 - decay) * (mean - variable))

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The model has the mean weights inside the ``with`` block and its own ones after it."""
        trained = [variable.numpy() for variable in self._variables]
        for variable, mean in zip(self._variables, self._means, strict=True):
            variable.assign(mean)
        try:
            yield
        finally:
            for variable, value in zip(self._variables, trained, strict=True):
                variable.assign(value)
