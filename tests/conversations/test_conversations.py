from __future__ import annotations

import pytest

import pjais_lab as pj
from pjais_lab.conversations.events import ConversationEnded, MessageAdded
from pjais_lab.core.codec import encode
from pjais_lab.core.ids import natural_id
from pjais_lab.errors import RejectedError


def test_messages_come_back_in_the_order_they_were_said(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    bob = lab.personas.create("Bob")
    talk = lab.conversations.start(ada, "supper", participants=[ada, bob])
    for who, text in [(ada, "Turnips?"), (bob, "Turnips."), (ada, "Again.")]:
        lab.conversations.say(talk, who, text)

    said = lab.conversations.messages(talk)

    assert said["content"].to_list() == ["Turnips?", "Turnips.", "Again."]
    assert [str(i) for i in said["speaker_id"].to_list()] == [ada.id, bob.id, ada.id]


def test_a_conversation_is_open_until_it_ends(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    talk = lab.conversations.start(ada, "supper")
    assert lab.query("SELECT ended_at FROM conversations").item() is None

    lab.conversations.end(talk, "turnips")

    row = lab.query("SELECT ended_at IS NOT NULL, summary FROM conversations").row(0)
    assert row == (True, "turnips")


def test_nobody_speaks_in_a_conversation_that_has_ended(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    talk = lab.conversations.start(ada)
    lab.conversations.end(talk)

    with pytest.raises(RejectedError, match="ended at"):
        lab.conversations.say(talk, ada, "One more thing.")

    assert lab.query("SELECT count(*) FROM messages").item() == 0


def test_a_conversation_within_one_batch_keeps_its_order(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    lines = [f"line {n}" for n in range(20)]
    with lab.batch():
        talk = lab.conversations.start(ada)
        for line in lines:
            lab.conversations.say(talk, ada, line)

    assert lab.conversations.messages(talk)["content"].to_list() == lines


@pytest.mark.parametrize("nowhere", ["nowhere", natural_id("nowhere")])
def test_saying_something_nowhere_is_refused(
    lab: pj.Lab, ada: pj.PersonaModel, nowhere: str
) -> None:
    with pytest.raises(RejectedError, match="conversation_id"):
        lab.conversations.say(nowhere, ada, "Hello?")


def test_people_who_are_no_personas_can_speak(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    talk = lab.conversations.start(ada)

    lab.conversations.say(talk, ada, "Hello?", role="user", speaker="Charles")

    row = lab.query("SELECT role, speaker, speaker_id FROM messages").row(0)
    assert row == ("user", "Charles", None)


def test_a_message_into_no_conversation_is_refused_whatever_the_way(
    lab: pj.Lab, ada: pj.PersonaModel
) -> None:
    with pytest.raises(RejectedError, match="which does not exist"):
        lab.commit(MessageAdded(natural_id("nowhere"), "Hello?").on(ada))


def test_a_message_of_an_unknown_speaker_is_refused(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    talk = lab.conversations.start(ada)

    with pytest.raises(RejectedError, match="'speaker_id'"):
        lab.commit(MessageAdded(talk, "Boo.", speaker_id=natural_id("ghost")).on(ada))


def test_an_unknown_participant_is_refused(lab: pj.Lab, ada: pj.PersonaModel) -> None:
    with pytest.raises(RejectedError, match="'participants'"):
        lab.conversations.start(ada, participants=[ada, natural_id("ghost")])


def test_only_a_living_conversation_can_end(lab: pj.Lab) -> None:
    with pytest.raises(RejectedError, match="does not exist"):
        lab.commit(ConversationEnded().on(entity=natural_id("nowhere")))


def test_an_empty_message_is_refused() -> None:
    with pytest.raises(RejectedError, match="'content'"):
        encode(MessageAdded(natural_id("x"), ""))
