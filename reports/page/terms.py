"""Terms that the page explains where they first stand in a text, on hover and on focus."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

TERMS = {
    "Spearman’s ρ": "Rank correlation: 1 if two orders agree wholly, 0 if one tells nothing of the "
    "other, −1 if they are opposite.",
    "Rank correlation": "1 if two orders agree wholly, 0 if one tells nothing of the other, −1 if "
    "they are opposite.",
    "Kendall’s W": "How far several rankings agree: 0 not at all, 1 wholly.",
    "ω²": "The share of a score’s variance that goes with one thing, corrected for chance.",
    "Cliff’s δ": "How often one of a group stands above one of the other group, less how often "
    "below: from −1 to 1.",
    "Holm": "A correction of p values for the number of questions asked at once.",
    "Wilcoxon": "A test of paired differences by the order of their sizes.",
    "Nemenyi": "A test of all pairs of mean ranks at once.",
    "Friedman": "A test of whether rankings on several tasks differ from chance orders.",
    "Pareto front": "Those for which no other is at least as good and as cheap, and better in one.",
    "family": "The questions that a p value is corrected for.",
    "80 % power": "Four times in five, an effect of this size would be found.",
    "95 % interval": "Made by a method that covers the true value 95 times in 100.",
    "standard deviation": "The usual distance of a value from its mean.",
    "MACs": "Multiply–accumulate operations: what a network computes for one image.",
}
_TAG = re.compile(r"(<[^>]*>)")
_ANY = re.compile("|".join(rf"(?<!\w){re.escape(str(escape(term)))}(?!\w)" for term in TERMS))


def explained(text: str) -> Markup:
    """Markup whose terms, each where it first stands, say what they mean.

    >>> explained(Markup("<p title='Holm'>Holm, and Holm again</p>")).count("data-says")
    1
    """
    met: set[str] = set()

    def said(match: re.Match[str]) -> str:
        term = match[0]
        if term in met:
            return term
        met.add(term)
        meaning = escape(TERMS[str(Markup(term).unescape())])
        return f'<span class="term" tabindex="0" data-says="{meaning}">{term}</span>'

    parts = _TAG.split(str(escape(text)))
    return Markup("".join(part if part[:1] == "<" else _ANY.sub(said, part) for part in parts))
