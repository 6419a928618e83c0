"""Names as people see them, and the ids that they stand for."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

PAPER_LAYERS = ("early", "semi_early", "middle", "late")
MARKS = re.compile(r"[\s\-_.:]+")
BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s\-_.:]+(?=\d)")


def key(text: str) -> str:
    """What two spellings of a name share.

    >>> key("VGG-11"), key("SqueezeNet 1.1"), key("×4 Set5 PSNR")
    ('vgg11', 'squeezenet1_1', 'x4set5psnr')
    """
    plain = BETWEEN_DIGITS.sub("\0", text.strip().casefold().replace("×", "x"))
    return MARKS.sub("", plain).replace("\0", "_")


class Names:
    """Ids by any of their spellings.

    >>> names = Names([("vgg11", "VGG-11"), ("sr_x4_set5_psnr", "×4 Set5 PSNR")])
    >>> names.id_of("vgg-11"), names.id_of("×4 Set5 PSNR"), names.id_of("vgg12")
    ('vgg11', 'sr_x4_set5_psnr', None)
    """

    def __init__(self, named: Iterable[tuple[str, str | None]]) -> None:
        """named: (id, its name for people) of each."""
        self.ids: list[str] = []
        self._by_key: dict[str, set[str]] = {}
        for one, name in named:
            self.ids.append(one)
            for spelling in (one, name):
                if spelling:
                    self._by_key.setdefault(key(spelling), set()).add(one)
        self._known = frozenset(self.ids)

    def __contains__(self, one: str) -> bool:
        return one in self._known

    def id_of(self, text: str) -> str | None:
        """The id that a text stands for; None where there is none, or more than one."""
        if text in self._known:
            return text
        found = self._by_key.get(key(text), set())
        return next(iter(found)) if len(found) == 1 else None

    def close_to(self, text: str) -> str:
        """What may have been meant, else all there is where it is little."""
        return close_to(text, self.ids)


def near(word: str, known: Iterable[str], count: int = 3) -> list[str]:
    """The names that a word may have been meant as: those that begin with it, else those like it.

    >>> near("Ranks", ["ranks", "runs"]), near("pareto", ["pareto_fronts", "pareto_shares"])
    (['ranks'], ['pareto_fronts', 'pareto_shares'])
    """
    spelled = {key(name): name for name in known}
    asked = key(word)
    if asked in spelled:
        return [spelled[asked]]
    begun = [name for name in spelled if len(asked) > 2 and name.startswith(asked)]
    close = begun or difflib.get_close_matches(asked, spelled, n=count)
    return [spelled[word] for word in list(dict.fromkeys(close))[:count]]


def spelled(word: str, known: Iterable[str]) -> str:
    """The one of the names that a word is a spelling of, else the word as it is.

    >>> spelled("Super_Resolution", ["super-resolution", "delineation"]), spelled("x", ["y"])
    ('super-resolution', 'x')
    """
    return Names((name, None) for name in known).id_of(word) or word


def close_to(found: str, valid: Iterable[str], most: int = 20) -> str:
    """What may have been meant, or all there is, or how much more there is.

    >>> close_to("vgg12", ["vgg11", "alexnet"])
    "which is unknown: did you mean 'vgg11'?"
    >>> close_to("x", ["late", "early", "middle"], most=2)
    'which is unknown, valid are early, late and 1 more'
    """
    told = meant(found, valid, most)
    return f"which is unknown{':' if told.endswith('?') else ','} {told}"


def meant(found: str, valid: Iterable[str], most: int = 20) -> str:
    """What may have been meant by a word that is none of the valid ones, or what they are.

    >>> meant("vgg12", ["vgg11", "alexnet"]), meant("x", ["late", "early", "middle"], most=2)
    ("did you mean 'vgg11'?", 'valid are early, late and 1 more')
    """
    valid = list(valid)
    close = near(found, valid)
    if close:
        return f"did you mean {' or '.join(map(repr, close))}?"
    return f"valid are {listed(sorted(valid), most)}"


def listed(names: list[str], most: int = 20) -> str:
    """A list for a sentence, whole or saying that it is not.

    >>> listed(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def layer_key(text: str) -> str:
    """What two spellings of a layer share; nodes of traced networks keep their dots.

    >>> layer_key("Semi-early"), layer_key("features.3")
    ('semi_early', 'features.3')
    """
    return re.sub(r"[-\s]+", "_", text.strip()).casefold()


def layer_of(text: str, layers: Iterable[str]) -> str | None:
    """The layer that a text stands for, of those of an architecture."""
    layers = list(layers)
    if text in layers:
        return text
    same = [layer for layer in layers if layer_key(layer) == layer_key(text)]
    return same[0] if len(same) == 1 else None
