"""What a file that cannot be a model raises."""

__all__ = ["ModelFileError"]


class ModelFileError(ValueError):
    """A model file was refused: it is damaged, foreign, too new, or holds what is not allowed.

    Nothing in the file has been executed. The message names the file and says why.

    Examples
    --------
    >>> from serkit.persistence import ModelFileError
    >>> issubclass(ModelFileError, ValueError)
    True
    """
