"""What AWS says of a value that breaks a constraint (docs/reference/cognito-identity.md, 1.3)."""

import re

from conformance import model
from conformance.model import ELEMENT, KEY, VALUE

SHOWN = 256
# How AWS shows a structure inside a list or a map is not known, so nothing is expected of it.
ANYTHING = None
CONTAINER_PHRASES = {
    ELEMENT: "Member must satisfy constraint: [{}]",
    KEY: "Map keys must satisfy constraint: [{}]",
    VALUE: "Map value must satisfy constraint: [{}]",
}


def message(violations):
    """The whole message, as a regular expression."""
    count = len(violations)
    texts = [_text(*violation) for violation in violations]
    return f"{count} validation error{'s' if count > 1 else ''} detected: " + "; ".join(texts)


def _text(value, path, phrase):
    shown = "'.*'" if value is ANYTHING else re.escape(value)
    return f"Value {shown} at " + re.escape(f"'{path}' failed to satisfy constraint: {phrase}")


def expected(input_shape, steps, broken):
    """The violations for `broken` standing at this place of the input, in order."""
    if broken is model.ABSENT:
        return [("null", path(input_shape, steps), "Member must not be null")]
    shape = model.shape_at(input_shape, steps)
    if steps[-1] in CONTAINER_PHRASES:
        return [_in_container(input_shape, steps, broken)]
    value, where = shown(shape, broken), path(input_shape, steps)
    found = [(value, where, phrase) for phrase in phrases(shape) if phrase in broken_phrases(shape, broken)]
    return found + _keys(shape, value, where, broken)


def _in_container(input_shape, steps, broken):
    """An element, a key or a value is reported at what contains it, with all that is asked of it."""
    container = model.shape_at(input_shape, steps[:-1])
    whole = model.placed(container, steps[-1:], broken)
    phrase = CONTAINER_PHRASES[steps[-1]].format(", ".join(phrases(model.shape_at(input_shape, steps))))
    return shown(container, whole), path(input_shape, steps[:-1]), phrase


def _keys(shape, value, where, broken):
    """Too many entries can be more than there are keys."""
    if shape.type_name != "map" or not any(broken_phrases(shape.key, key) for key in broken):
        return []
    return [(value, where, CONTAINER_PHRASES[KEY].format(", ".join(phrases(shape.key))))]


def path(shape, steps):
    """A place as AWS writes it: `roleMappings.<key>.member.type`."""
    words = []
    for step in steps:
        if step == ELEMENT:
            words += ["1", "member"]
        elif step == VALUE:
            words += [model.example(shape.key), "member"]
        else:
            words.append(step[0].lower() + step[1:])
        shape = dict(model.inside(shape))[step]
    return ".".join(words)


def phrases(shape):
    """All that is asked of a value of this shape, in AWS's order."""
    what = "value" if shape.type_name in ("integer", "long") else "length"
    texts = {
        "max": f"Member must have {what} less than or equal to {{}}",
        "min": f"Member must have {what} greater than or equal to {{}}",
        "pattern": "Member must satisfy regular expression pattern: {}",
        "enum": "Member must satisfy enum value set: [{}]",
    }
    return [texts[kind].format(_limit(shape, kind)) for kind in texts if kind in shape.metadata]


def _limit(shape, kind):
    limit = shape.metadata[kind]
    return ", ".join(limit) if kind == "enum" else limit


def broken_phrases(shape, value):
    """What of it this value breaks."""
    metadata, size = shape.metadata, value if isinstance(value, int) else len(value)
    broken = [
        "max" in metadata and size > metadata["max"],
        "min" in metadata and size < metadata["min"],
        "pattern" in metadata and not model.matches(shape, value),
        "enum" in metadata and value not in metadata["enum"],
    ]
    stated = [kind in metadata for kind in ("max", "min", "pattern", "enum")]
    breaks = [is_broken for is_broken, is_stated in zip(broken, stated, strict=True) if is_stated]
    return [phrase for phrase, is_broken in zip(phrases(shape), breaks, strict=True) if is_broken]


def shown(shape, value):
    """A value within a message: quoted, cut, and never if it is a secret."""
    if _is_secret(shape):
        return "'***'"
    if _holds_structures(shape) and value:
        return ANYTHING
    text = _plain(value)
    return f"'{text[:SHOWN]}…'" if len(text) > SHOWN else f"'{text}'"


def _plain(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={entry}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(value) + "]"
    return str(value)


def _is_secret(shape):
    return shape.metadata.get("sensitive", False) or any(_is_secret(inner) for _, inner in model.inside(shape))


def _holds_structures(shape):
    return any(inner.type_name == "structure" for _, inner in model.inside(shape))
