"""What reading a .mat file may take, and what stands for what cannot be read."""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_DEPTH = 64  # cells in cells
MAX_ITEMS = 1_000_000  # elements of cells and fields of structs


class Damaged(Exception):
    """What is wrong with the bytes of a file."""


@dataclass
class Budget:
    """What a file may still ask for: bytes of arrays, and elements of cells and structs."""

    n_bytes: int
    items: int = MAX_ITEMS
    limit: int = field(init=False)

    def __post_init__(self) -> None:
        self.limit = self.n_bytes

    def spend(self, n_bytes: int, items: int = 0) -> None:
        """Take from what is left.

        Parameters
        ----------
        n_bytes
            Bytes of an array in memory.
        items
            Elements of a cell or struct.

        Raises
        ------
        Damaged
            If that is more than is left.
        """
        self.afford(n_bytes)
        self.n_bytes -= n_bytes
        self.items -= items
        if self.items < 0:
            raise Damaged(f"its cells and structs have more than {MAX_ITEMS} elements")

    def afford(self, n_bytes: int) -> None:
        """Refuse what is more than is left, without taking it.

        Parameters
        ----------
        n_bytes
            Bytes in memory.

        Raises
        ------
        Damaged
            If that is more than is left.
        """
        if n_bytes > self.n_bytes:
            raise Damaged(
                f"it declares more than {self.limit} bytes of arrays: name the variables that are "
                "needed, or raise max_bytes if the file is trusted"
            )


class Unreadable:
    """What stands for a value that only MATLAB can read.

    Parameters
    ----------
    matlab_class
        Its class, such as ``table`` or ``function_handle``.
    """

    def __init__(self, matlab_class: str) -> None:
        self.matlab_class = matlab_class

    def __repr__(self) -> str:
        return f"Unreadable({self.matlab_class!r})"
