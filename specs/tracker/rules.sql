-- What the models cannot say: keys across tables, triggers, the audit log, search, views.

-- People -----------------------------------------------------------------------------------

create unique index users_email_key on users (lower(email));

-- Who signs up creates an organization and a membership that need each other.
alter table organizations
    add constraint organizations_owner_is_member
    foreign key (id, owner_id) references memberships (organization_id, user_id)
    deferrable initially deferred;

create view profiles with (security_invoker = true) as
select id, name, last_seen_at > now() - interval '90 days' as active
from users;

-- Spread over an hour, so that the reminders of a day do not leave in one burst.
create function next_reminder(user_id bigint) returns timestamptz language sql volatile as $$
    select now() + interval '1 day' + random() * interval '1 hour'
    from profiles where id = user_id and active
$$;

-- Organizations ----------------------------------------------------------------------------

-- Archiving is never refused, but whoever does it learns what was left undone.
create function archive_organization(organization text) returns void language plpgsql as $$
declare
    open_issues integer;
begin
    update organizations set archived_at = now() where id = organization and archived_at is null;
    if not found then
        raise notice 'there is no organization % to archive', organization;
        return;
    end if;
    select count(*) into open_issues from issues
    where organization_id = organization and closed_at is null;
    if open_issues > 0 then
        raise warning 'open issues of %: %', organization, open_issues;
    end if;
end $$;

-- Issues -----------------------------------------------------------------------------------

alter table issues
    add constraint issues_assignee_is_member
    foreign key (organization_id, assignee_id) references memberships (organization_id, user_id)
    on delete set null (assignee_id);

-- Numbers have no gaps, so they are counted where a rollback takes the count back; a sequence
-- would not do. Members may not touch their organization's row, so the owner counts for them.
create function number_issue() returns trigger language plpgsql
security definer set search_path = public as $$
begin
    update organizations set issues_created = issues_created + 1
    where id = new.organization_id
    returning issues_created into new.number;
    new.number := coalesce(new.number, 0);  -- the foreign key refuses an unknown organization
    return new;
end $$;

create trigger issues_number before insert on issues
    for each row execute function number_issue();

create function close_issue() returns trigger language plpgsql as $$
declare
    open_parts integer;
begin
    if new.status not in ('closed', 'rejected') then
        new.closed_at := null;
        return new;
    end if;
    select count(*) into open_parts from issues where parent_id = new.id and closed_at is null;
    if open_parts > 0 then
        raise exception 'issue #% has open sub-issues', new.number using
            errcode = 'TR001', table = 'issues', column = 'status',
            detail = format('Open sub-issues: %s.', open_parts),
            hint = 'Close or reject them first.';
    end if;
    new.closed_at := coalesce(new.closed_at, now());
    return new;
end $$;

create trigger issues_close before insert or update of status on issues
    for each row execute function close_issue();

create function touch_issue() returns trigger language plpgsql as $$
begin
    new.updated_at := now();
    return new;
end $$;

create trigger issues_touch before update on issues
    for each row execute function touch_issue();

-- Comments ---------------------------------------------------------------------------------

create unique index comments_one_pinned on comments (issue_id) where pinned;

create function edit_comment() returns trigger language plpgsql as $$
begin
    new.edited_at := now();
    return new;
end $$;

create trigger comments_edit before update on comments
    for each row when (old.body is distinct from new.body) execute function edit_comment();

create function mentions(body text) returns text[] language sql immutable as $$
    select array(select distinct lower(name[1]) from regexp_matches(body, '@(\w+)', 'g') name)
$$;

-- Audit log --------------------------------------------------------------------------------

-- A year is forgotten by dropping its partition.
create table audit_log (
    id bigint generated always as identity,
    happened_at timestamptz not null default now(),
    user_name text default nullif(current_setting('tracker.user', true), ''),
    issue_id uuid not null,
    action text not null check (action in ('changed', 'deleted')),
    changes jsonb not null default '{}',
    primary key (id, happened_at)
) partition by range (happened_at);

create table audit_log_2024 partition of audit_log for values from ('2024-01-01') to ('2025-01-01');
create table audit_log_2025 partition of audit_log for values from ('2025-01-01') to ('2026-01-01');
create table audit_log_recent partition of audit_log default;

create index audit_log_history on audit_log (issue_id, happened_at);

-- As the owner: the application itself can neither write nor read the log.
create function audit_issue() returns trigger language plpgsql
security definer set search_path = public as $$
declare
    change jsonb;
begin
    if tg_op = 'DELETE' then
        insert into audit_log (issue_id, action) values (old.id, 'deleted');
        return null;
    end if;
    select jsonb_object_agg(key, jsonb_build_array(before.value, after.value)) into change
    from jsonb_each(to_jsonb(old)) before join jsonb_each(to_jsonb(new)) after using (key)
    where before.value <> after.value and key not in ('updated_at', 'closed_at', 'search');
    if change is not null then
        insert into audit_log (issue_id, action, changes) values (new.id, 'changed', change);
    end if;
    return null;
end $$;

create trigger issues_audit after update or delete on issues
    for each row execute function audit_issue();

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the audit log is append-only' using
        errcode = 'insufficient_privilege', hint = 'Drop the partition of a year to forget it.';
end $$;

create trigger audit_log_append_only before update or delete on audit_log
    for each row execute function refuse_change();

-- Search and reports -----------------------------------------------------------------------

alter table issues add column search tsvector generated always as (
    setweight(to_tsvector('english', title), 'A')
    || setweight(to_tsvector('english', coalesce(description, '')), 'B')
) stored;

create index issues_search on issues using gin (search);
create index issues_custom on issues using gin (custom jsonb_path_ops);
create index issues_keywords on issues using gin (keywords);

create function search_issues(organization text, query text)
returns table (number integer, title varchar) language sql stable as $$
    select number, title from issues, websearch_to_tsquery('english', query) words
    where organization_id = organization and search @@ words
    order by ts_rank(search, words) desc, number
$$;

-- With the rights of whoever asks, so that row-level security reaches through it.
create view issue_overview with (security_invoker = true) as
select
    issue.id, issue.organization_id, issue.number, issue.title, issue.status,
    assignee.name as assignee,
    (select count(*) from comments where issue_id = issue.id) as comments,
    array(
        select name from labels join issue_labels on label_id = labels.id
        where issue_id = issue.id order by name
    ) as labels,
    (select count(*) from issues duplicate where duplicate.duplicate_of = issue.id) as duplicates,
    coalesce(issue.due_on < current_date and issue.closed_at is null, false) as overdue
from issues issue left join users assignee on assignee.id = issue.assignee_id;

create materialized view organization_statistics as
select
    id as organization_id,
    (select count(*) from memberships where organization_id = organizations.id) as members,
    (select count(*) from issues
     where organization_id = organizations.id and closed_at is null) as open_issues
from organizations;
