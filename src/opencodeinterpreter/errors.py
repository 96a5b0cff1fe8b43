"""Every exception that this package raises on purpose.

    OcintError
    ├── ConfigError                 a setting that cannot be used
    ├── InputError                  a task or file that cannot be used
    ├── MissingExtraError           an optional dependency that is not installed
    ├── ModelError
    │   ├── UnknownModelError       no such model; names the nearest ones
    │   ├── ModelFileError          a model file that is cut, changed or not a model
    │   ├── DownloadError           a model that could not be fetched
    │   ├── ModelConnectionError    the endpoint does not answer
    │   ├── ModelAuthError          the endpoint refuses the key
    │   ├── ContextLengthError      the dialog is longer than the model can read
    │   └── RateLimitError          the endpoint asks to wait
    ├── SandboxError
    │   ├── SandboxUnavailableError isolation cannot be had on this machine
    │   ├── KernelStartError        the kernel did not come up
    │   └── SandboxClosedError      used after ``close()``
    ├── PackageError                a package that cannot be installed for a session
    ├── EvaluationError             a benchmark, protocol or record that cannot be used
    └── SessionError
        ├── UnknownSessionError
        └── SessionBusyError        another program has the session open

Code that a user or a model wrote and that fails is never an exception here: it is an ``ExecutionResult``.
Each message is one sentence that a user can act on.
"""

from __future__ import annotations


class OcintError(Exception):
    """Root of the tree; ``str(error)`` is fit to be shown to a user as it is."""


class ConfigError(OcintError):
    """A setting, from file, environment or flag, that cannot be used."""


class InputError(OcintError):
    """A task or an input file that cannot be used."""


class MissingExtraError(OcintError):
    """An optional dependency is not installed.

    Args:
        feature: what was asked for, as the subject of the sentence.
        extra: the name of the extra that brings it.
    """

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f'{feature} needs more packages: pip install "opencodeinterpreter[{extra}]"')
        self.extra = extra


class ModelError(OcintError):
    """A language model that cannot be had or does not answer."""


class UnknownModelError(ModelError):
    """No model goes by this name."""


class ModelFileError(ModelError):
    """A model file that is cut, changed, unreadable or not a model."""


class DownloadError(ModelError):
    """A model that could not be fetched."""


class ModelConnectionError(ModelError):
    """The model endpoint does not answer."""


class ModelAuthError(ModelError):
    """The model endpoint refuses the key."""


class ContextLengthError(ModelError):
    """The dialog is longer than the model's context."""


class RateLimitError(ModelError):
    """The model endpoint asks to wait, and waiting did not help."""


class SandboxError(OcintError):
    """The sandbox itself failed; never shown to the model as program output."""


class SandboxUnavailableError(SandboxError):
    """Isolation cannot be had here; the message says what would bring it."""


class KernelStartError(SandboxError):
    """The kernel did not come up."""


class SandboxClosedError(SandboxError):
    """The sandbox was used after it was closed."""


class PackageError(OcintError):
    """A package that cannot be installed for a session."""


class EvaluationError(OcintError):
    """A benchmark, a protocol or a record of a run that cannot be used."""


class SessionError(OcintError):
    """A stored session that cannot be used."""


class UnknownSessionError(SessionError):
    """No session goes by this id."""


class SessionBusyError(SessionError):
    """Another program has this session open."""
