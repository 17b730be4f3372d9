-- Who acted for the person. In events that are there nobody did.

ALTER TABLE audit_event ADD COLUMN actor TEXT;
ALTER TABLE unproved_refusal ADD COLUMN actor TEXT;
