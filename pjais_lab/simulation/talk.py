"""What happens in the town, and how people speak of it."""

from __future__ import annotations

from typing import Final

__all__ = ["HAPPENINGS", "NEWS", "SMALL_TALK"]

HAPPENINGS: Final = (
    ("the lost dog", "{who}'s dog has been missing since breakfast", 6, "negative", 60, "loss"),
    ("the found dog", "{who}'s dog came home by ferry, alone", 7, "positive", 80, "joy"),
    ("the harvest supper", "there will be a harvest supper at {place}", 7, "positive", 75, "feast"),
    (
        "the flood",
        "the river came in at {place} up to the second step",
        8,
        "negative",
        85,
        "weather",
    ),
    ("the wedding", "{who} is going to be married in spring", 9, "positive", 90, "feast"),
    ("the broken window", "somebody broke the big window of {place}", 6, "conflict", 60, "quarrel"),
    ("the old coin", "{who} found a coin from a forgotten king", 7, "surprise", 85, "wonder"),
    (
        "the choir",
        "the choir at {place} wants altos, and {who} has said yes",
        5,
        "positive",
        60,
        "music",
    ),
    ("the prize", "{who} has won the county prize", 8, "achievement", 85, "pride"),
    (
        "the failed inspection",
        "{place} failed the inspection by one point",
        6,
        "failure",
        65,
        "work",
    ),
    (
        "the stranger",
        "a stranger at {place} asked for somebody who left years ago",
        7,
        "surprise",
        70,
        "wonder",
    ),
    ("the quarrel", "{who} and the neighbours no longer speak", 6, "conflict", 70, "quarrel"),
    ("the comet", "a comet can be seen from {place} after ten", 8, "surprise", 90, "wonder"),
    ("the fire", "a small fire at {place} was put out with soup", 8, "negative", 80, "danger"),
    (
        "the new bridge",
        "the footbridge behind {place} will be rebuilt at last",
        5,
        "positive",
        50,
        "work",
    ),
    ("the broken arm", "{who} fell off a ladder and broke an arm", 7, "negative", 75, "loss"),
    (
        "the letter",
        "{who} had a letter from abroad and read it standing up",
        6,
        "surprise",
        65,
        "wonder",
    ),
    (
        "the play",
        "there is to be a play at {place} and {who} is the bear",
        6,
        "positive",
        70,
        "music",
    ),
    ("the stolen bell", "the hand bell of {place} has been stolen", 7, "conflict", 70, "quarrel"),
    ("the birth", "{who} is an aunt since last night", 9, "positive", 90, "joy"),
    ("the frost", "the frost took half the plums near {place}", 6, "negative", 60, "weather"),
    ("the record pike", "{who} caught a pike as long as an oar", 6, "achievement", 70, "pride"),
)
"""Noun, what is told, poignancy from 1 to 10, trigger, its intensity, tag."""

NEWS: Final = (
    (
        "Have you heard? They say {gist}.",
        "No! Since when?",
        "Since this morning. I had it from somebody who was there.",
        "Well. That will be talked about until Sunday.",
    ),
    (
        "You look as if you had news, {a}.",
        "I have: {gist}.",
        "I don't know whether to laugh or to sit down.",
        "Sit down first. There is more.",
        "Then tell it slowly.",
    ),
    (
        "It's about {noun}, isn't it?",
        "It is. Imagine, {gist}.",
        "Somebody should write that down.",
    ),
    (
        "Before you hear it from someone else, {b}: {gist}.",
        "Thank you for telling me. What do we do?",
        "What we always do. We bring soup.",
    ),
    (
        "They talk of nothing but {noun} at {place}.",
        "I was going to ask you. What is it about?",
        "As far as I know, {gist}.",
        "As far as you know is usually far enough, {a}.",
    ),
    (
        "I shouldn't say it, but {gist}.",
        "Then why do you say it?",
        "Because you would have been cross to be the last.",
        "That is true.",
        "You see.",
        "I do. Not a word from me.",
    ),
)
"""Scripts that pass on a piece of news; the first speaker and the second take turns."""

SMALL_TALK: Final = (
    (
        "the weather",
        ("Do you think it will hold?", "My knee says no.", "Your knee said no in June."),
    ),
    (
        "supper",
        (
            "What are you making tonight, {b}?",
            "Whatever {place} has left.",
            "Then it's turnips.",
            "It has been turnips since Monday.",
        ),
    ),
    (
        "an old tune",
        (
            "What was that you were whistling, {b}?",
            "I thought it was you who had it first.",
            "Then it goes round by itself.",
        ),
    ),
    (
        "the tower clock",
        (
            "By the tower clock I'm early.",
            "By the tower clock everybody is early.",
            "Let's not tell anyone.",
            "Agreed. Sit with me a moment.",
        ),
    ),
    (
        "books",
        (
            "Did you finish it?",
            "Last night. I didn't like who she chose.",
            "Nobody does. That's why it is good.",
            "Lend me the next one anyway, {a}.",
        ),
    ),
    (
        "sleep",
        (
            "You look tired, {b}.",
            "The owl has moved to my chimney.",
            "Ours likes barley sugar. Try that.",
        ),
    ),
    (
        "the garden",
        (
            "How are the beans?",
            "Taller than me, and less obedient.",
            "Mine died politely in May.",
            "I'll bring you some of mine, {a}.",
            "You always say so, and you always do.",
        ),
    ),
    (
        "work",
        (
            "Long day?",
            "Long and short at once. And yours?",
            "Mine went by while I was looking for a pencil.",
        ),
    ),
    (
        "nothing in particular",
        ("Good day, {b}.", "Is it?", "It is now.", "Flatterer. Sit down."),
    ),
)
"""Topic and script."""
