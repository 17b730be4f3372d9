-- How a signing key signs, and from when. Those that are there sign as Cognito's do, and have since they were made.

ALTER TABLE signing_key ADD COLUMN algorithm TEXT NOT NULL DEFAULT 'RS512';
ALTER TABLE signing_key ADD COLUMN signs_from INTEGER NOT NULL DEFAULT 0;
UPDATE signing_key SET signs_from = created_at;
