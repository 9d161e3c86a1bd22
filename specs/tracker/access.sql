-- Who may see and change which rows: the application's role, its grants, and the policies.
--
-- The application connects as `tracker_app` and says in `request.jwt.claims` for whom. Everything
-- below reads only that, so that a forgotten `where` in the application shows nobody's data.

do $$ begin
    create role tracker_app;
exception when duplicate_object then
    null; -- roles belong to the server, not to this database
end $$;

-- A setting that was ever used reads as '' afterwards, not as NULL.
create function claim(name text) returns text language sql stable as $$
    select nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> name
$$;

create function is_admin() returns boolean language sql stable as $$
    select coalesce(claim('role') = 'admin', false)
$$;

-- Signing in and inviting happen before there is a membership that would show the account.
create function account(address text)
returns table (id integer, name text, password_hash text, organization_id text, role member_role)
language sql stable security definer set search_path = public as $$
    select id, name, password_hash, organization_id, role
    from users left join memberships on user_id = id
    where lower(email) = lower(address)
    order by organization_id limit 1
$$;

-- Grants -----------------------------------------------------------------------------------

grant select, update (name, settings, owner_id, archived_at) on organizations to tracker_app;
grant select (id, email, name, last_seen_at, created_at), update (name, last_seen_at)
    on users to tracker_app;
grant select, insert, update, delete on memberships, allowances, issues, checklist_items,
    comments, labels, issue_labels to tracker_app;
grant select on profiles, issue_overview to tracker_app;

-- Policies ---------------------------------------------------------------------------------

alter table organizations enable row level security;
alter table users enable row level security;
alter table memberships enable row level security;
alter table allowances enable row level security;
alter table issues enable row level security;
alter table checklist_items enable row level security;
alter table comments enable row level security;
alter table labels enable row level security;
alter table issue_labels enable row level security;

create policy own on organizations for select using (id = claim('organization_id'));
create policy administer on organizations for update
    using (id = claim('organization_id') and is_admin());

create policy colleagues on users for select
    using (exists (select from memberships where user_id = users.id));
create policy oneself on users for update using (id = claim('user_id')::integer);

create policy own on memberships for select using (organization_id = claim('organization_id'));
create policy administer on memberships
    using (organization_id = claim('organization_id') and is_admin());

create policy own on allowances using (organization_id = claim('organization_id'));

create policy see on issues for select using (organization_id = claim('organization_id'));
create policy report on issues for insert with check (organization_id = claim('organization_id'));
create policy change on issues for update using (organization_id = claim('organization_id'));
create policy remove on issues for delete
    using (organization_id = claim('organization_id') and is_admin());

-- What belongs to an issue is seen with it.
create policy of_issue on checklist_items
    using (exists (select from issues where id = issue_id));
create policy of_issue on issue_labels
    using (exists (select from issues where id = issue_id));

create policy see on comments for select using (exists (select from issues where id = issue_id));
create policy write on comments for insert with check (
    author_id = claim('user_id')::integer
    and exists (select from issues where id = issue_id)
);
-- Policies for select are no part of a change without a condition: these need all of it again.
create policy correct on comments for update using (
    author_id = claim('user_id')::integer
    and exists (select from issues where id = issue_id)
);
create policy remove on comments for delete using (
    (author_id = claim('user_id')::integer or is_admin())
    and exists (select from issues where id = issue_id)
);

create policy own on labels using (organization_id = claim('organization_id'));
