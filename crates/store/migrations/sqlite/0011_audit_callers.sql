-- Where a request came from, and what the program that sent it calls itself. Of events that are there nobody knows it.

ALTER TABLE audit_event ADD COLUMN source_ip TEXT;
ALTER TABLE audit_event ADD COLUMN user_agent TEXT;
ALTER TABLE unproved_refusal ADD COLUMN source_ip TEXT;
ALTER TABLE unproved_refusal ADD COLUMN user_agent TEXT;
