package ottla

import "testing"

const record = `data: {"topic":"t","partition":0,"offset":4,"timestamp":1,"key":null,"value":{"base64":"eA=="},"headers":{}}`

func feed(t *testing.T, s *stream, lines ...string) *Event {
	t.Helper()
	var last *Event
	for _, each := range lines {
		event, err := s.line(each)
		if err != nil {
			t.Fatal(err)
		}
		last = event
	}
	return last
}

func TestAnEventThatIsCutOffIsAskedForAgain(t *testing.T) {
	s := stream{lastID: "4@abcd"}
	s.begin()
	feed(t, &s, "id: 5@abcd", record)
	// The connection ends before the blank line.
	s.begin()
	if event := feed(t, &s, ""); event != nil || s.lastID != "4@abcd" {
		t.Fatalf("%v, goes on at %s", event, s.lastID)
	}
}

func TestAnEventMovesThePlaceWhereItGoesOn(t *testing.T) {
	s := stream{}
	s.begin()
	feed(t, &s, "id: 4@abcd", "")
	event := feed(t, &s, "id: 5@abcd", record, "")
	if event == nil || string(event.Record.Value) != "x" || event.ID != "5@abcd" || s.lastID != "5@abcd" {
		t.Fatalf("%v, goes on at %s", event, s.lastID)
	}
	feed(t, &s, ":", "id: 6@abcd", "")
	if s.lastID != "6@abcd" {
		t.Fatal(s.lastID)
	}
}
