// The room of Meetings.
