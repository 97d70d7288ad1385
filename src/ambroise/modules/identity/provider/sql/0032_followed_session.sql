-- Until when software follows the context of a session of the portal (FHIRcast): its pages read it with the session, so
-- that those that nobody follows ask nothing more.
alter table session add column followed_until timestamptz;
