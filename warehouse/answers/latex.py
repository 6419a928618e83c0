"""Text as pdflatex takes it without any package: every character a sign, or its number."""

from __future__ import annotations

import unicodedata

SIGNS = {c: f"\\{c}" for c in "&%$#_{}"} | {
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    "[": "{[}", "*": "{*}",  # beside the end of a row these would be its arguments
    "×": r"$\times$", "·": r"$\cdot$", "±": r"$\pm$", "−": "$-$", "≤": r"$\le$", "≥": r"$\ge$",
    "≈": r"$\approx$", "≠": r"$\ne$", "∞": r"$\infty$", "∧": r"$\wedge$", "→": r"$\to$",
    "←": r"$\gets$", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "√": r"$\surd$", "∈": r"$\in$",
    "°": r"$^\circ$", "²": "$^2$", "³": "$^3$", "α": r"$\alpha$", "β": r"$\beta$",
    "γ": r"$\gamma$", "δ": r"$\delta$", "ε": r"$\epsilon$", "η": r"$\eta$", "θ": r"$\theta$",
    "λ": r"$\lambda$", "μ": r"$\mu$", "µ": r"$\mu$", "π": r"$\pi$", "ρ": r"$\rho$",
    "σ": r"$\sigma$", "τ": r"$\tau$", "χ": r"$\chi$", "ω": r"$\omega$", "Δ": r"$\Delta$",
    "Σ": r"$\Sigma$", "Ω": r"$\Omega$", "–": "--", "—": "---", "…": "...", "‘": "`", "’": "'",
    "“": "``", "”": "''", "ß": r"{\ss}", "ø": r"{\o}", "Ø": r"{\O}", "æ": r"{\ae}",
    "Æ": r"{\AE}", "œ": r"{\oe}", "Œ": r"{\OE}", "ł": r"{\l}", "Ł": r"{\L}", "§": r"\S{}",
    "†": r"\dag{}", "‡": r"\ddag{}", "✓": r"$\surd$", "•": r"$\bullet$",
}  # fmt: skip
ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u",
    "\u0307": ".", "\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0327": "c",
}  # fmt: skip


def latex(text: str) -> str:
    r"""The text with what LaTeX reads as commands escaped.

    >>> print(latex("R&D ×8 é 層"))
    R\&D $\times$8 \'{e} {[}U+5C64{]}
    """
    return "".join(_sign(character) for character in unicodedata.normalize("NFC", text))


def _sign(character: str) -> str:
    if character in SIGNS:
        return SIGNS[character]
    if character.isascii():
        return character
    base, *marks = list(unicodedata.normalize("NFD", character))
    if len(marks) == 1 and base.isascii() and marks[0] in ACCENTS:
        return f"\\{ACCENTS[marks[0]]}{{{base}}}"
    plain = unicodedata.normalize("NFKC", character)
    return plain if plain.isascii() and plain.isalnum() else f"{{[}}U+{ord(character):04X}{{]}}"
