-- Why a decision fell is a short code, with its words beside it. Events that are there keep the words that they have for
-- their reason.

ALTER TABLE audit_event ADD COLUMN detail TEXT;
ALTER TABLE unproved_refusal ADD COLUMN detail TEXT;
