-- What landed last on a base branch.
CREATE INDEX self_extension_events_promoted
    ON self_extension_events (repository, base, id DESC) WHERE event_type = 'promoted';
