-- What people ask the ledger, each by an index and in pages: see the port `Queries`. Pages are in the order of time and, within
-- one time, of ids.

-- Events by type and time; events by time alone are the types' merged; the latest runs are those of the type `proposed`.
CREATE INDEX self_extension_events_type ON public.self_extension_events (event_type, created_at, id);
DROP INDEX public.self_extension_events_proposed;

-- Runs by what they serve, which all events of a run say and its `proposed` is found by.
CREATE INDEX self_extension_events_goal
    ON public.self_extension_events (goal_id COLLATE "C", created_at, id)
    WHERE event_type = 'proposed' AND goal_id IS NOT NULL;
CREATE INDEX self_extension_events_tool
    ON public.self_extension_events (tool_name COLLATE "C", created_at, id) WHERE event_type = 'proposed';

-- Runs by their pull request, which only their later events name.
CREATE INDEX self_extension_events_pull_request
    ON public.self_extension_events (pull_request, repository, run_id) WHERE pull_request IS NOT NULL;
