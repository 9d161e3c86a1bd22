-- The types of the models' columns; created before the models' tables.

create type member_role as enum ('member', 'admin');
create type issue_status as enum ('new', 'open', 'blocked', 'closed', 'rejected');
create type issue_priority as enum ('low', 'normal', 'high', 'urgent');
