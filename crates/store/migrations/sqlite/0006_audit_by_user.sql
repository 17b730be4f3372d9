-- Everything about one developer user: their identities in every Region, and each login.
CREATE INDEX audit_event_by_user ON audit_event (developer_user_identifier, time)
    WHERE developer_user_identifier IS NOT NULL;
