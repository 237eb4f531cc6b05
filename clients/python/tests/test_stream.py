from ottla.stream import Stream

RECORD = '{"topic":"t","partition":0,"offset":4,"timestamp":1,"key":null,"value":"x","headers":{}}'


def test_an_event_that_is_cut_off_is_asked_for_again() -> None:
    stream = Stream("4@abcd")
    for line in ("id: 5@abcd", f"data: {RECORD}"):
        assert stream.line(line) is None
    # The connection ends before the blank line.
    stream.cut()
    assert stream.last_id == "4@abcd"
    assert stream.line("") is None
    assert stream.last_id == "4@abcd"


def test_an_event_moves_the_place_where_it_goes_on() -> None:
    stream = Stream()
    for line in ("retry: 1500", "id: 4@abcd", ""):
        assert stream.line(line) is None
    assert (stream.retry, stream.last_id) == (1.5, "4@abcd")
    stream.line("id: 5@abcd")
    stream.line(f"data: {RECORD}")
    event = stream.line("")
    assert event is not None
    assert (event.record.value, event.id, stream.last_id) == ("x", "5@abcd", "5@abcd")
    # A sign of life with a new place, and one without.
    for line in (":", "id: 6@abcd", "", ":", ""):
        assert stream.line(line) is None
    assert stream.last_id == "6@abcd"
