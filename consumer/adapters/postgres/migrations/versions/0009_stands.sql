-- How every connection and every shop stands, for people, for reports and for the metrics (docs/metrics.md).

-- Doubles that a comparison has found: a second document of an order.
ALTER TABLE reconcile_runs ADD COLUMN doubles bigint NOT NULL DEFAULT 0;

-- What came in, and what was made, of the last minutes. Both tables grow at their end, so that a few pages tell it.
CREATE INDEX events_by_time ON events USING brin (received_at) WITH (autosummarize = on);
CREATE INDEX documents_by_time ON documents USING brin (created_at) WITH (autosummarize = on);

-- One row per active connection: its day's calls by the rules of consumer/domain/budget.py, and why it stands still.
CREATE VIEW connection_stand AS
SELECT b.connection_id,
       b.stopped_cause,
       b.stopped_at,
       b.day_calls,
       b.calls_left,
       ceil(b.day_calls * b.live_stops_at)::integer AS kept_for_people,
       b.resets_at,                                            -- when the ledger's day ends; null: not known yet
       b.calls_left <= b.day_calls * b.live_stops_at AS live_waits,
       b.calls_left <= b.day_calls * b.backfill_stops_at AS backfill_waits,
       -- When live orders have to stop, if the day goes on as it went so far; null: not before the day ends.
       CASE
           WHEN b.calls_left <= b.day_calls * b.live_stops_at THEN b.now
           WHEN b.now + b.so_far * b.still_to_last < b.resets_at THEN b.now + b.so_far * b.still_to_last
       END AS runs_out_at,
       b.next_due, b.lease_until, b.throttled_until, b.has_organization,
       extract(epoch FROM b.now - coalesce(
           (SELECT max(r) FROM unnest(t.renewals) AS r), t.access_made_at, t.connected_at))::double precision
           AS access_age_seconds
FROM (
    SELECT k.*,
           -- At least an hour, so that a busy minute after midnight foretells nothing.
           greatest(interval '1 hour', k.now - (k.resets_at - interval '24 hours')) AS so_far,
           -- How many times as long as until now the rest will last; null: nothing was used yet.
           ((k.calls_left - k.day_calls * k.live_stops_at) / nullif(k.day_calls - k.calls_left, 0))::double precision
               AS still_to_last
    FROM (
        SELECT c.connection_id, c.stopped_cause, c.stopped_at, l.next_due, l.lease_until, l.throttled_until, n.now,
               coalesce(c.settings ->> 'organization_id', '') <> '' AS has_organization,
               coalesce(l.daily_limit, (c.settings #>> '{limits,daily_calls}')::integer, 1000) AS day_calls,
               CASE WHEN l.daily_left IS NULL OR l.daily_resets_at <= n.now
                    THEN coalesce(l.daily_limit, (c.settings #>> '{limits,daily_calls}')::integer, 1000)
                    ELSE l.daily_left END AS calls_left,
               CASE WHEN l.daily_resets_at > n.now THEN l.daily_resets_at END AS resets_at,
               coalesce((c.settings #>> '{limits,live_stops_at}')::numeric, 0.05) AS live_stops_at,
               coalesce((c.settings #>> '{limits,backfill_stops_at}')::numeric, 0.30) AS backfill_stops_at
        FROM connections c
        LEFT JOIN lanes l USING (connection_id)
        CROSS JOIN (SELECT clock_timestamp() AS now) n
        WHERE c.active
    ) k
) b
LEFT JOIN tokens t USING (connection_id);

-- One row per shop: how it stands. Sums are by currency, as a JSON object; booked and withdrawn orders are history and
-- not counted. It runs with the rights of its owner, and shows a login of one shop its own row alone (docs/roles.md);
-- whoever may read the connections sees all rows. What it costs grows with what is open, not with the history.
CREATE VIEW shop_stand WITH (security_barrier = true) AS
SELECT s.shop_id,
       s.active,
       s.automatic,
       s.connection_id,
       c.stopped_cause AS connection_stopped,
       coalesce(w.due, 0) AS due,
       coalesce(w.uncertain, 0) AS uncertain,
       coalesce(p.parked, 0)::bigint AS parked,
       coalesce(h.waiting, 0) AS waiting,
       CASE WHEN c.live_waits THEN coalesce(w.due, 0) ELSE 0 END AS waiting_for_budget,
       CASE WHEN c.live_waits THEN c.resets_at END AS budget_back_at,
       least(w.oldest_at, h.oldest_at) AS oldest_unbooked_at,
       p.oldest_at AS oldest_parked_at,
       coalesce(p.sums, '{}') AS parked_sums,
       coalesce(r.rejected, 0) AS rejected_open,
       coalesce(m.missing, 0) AS told_and_not_recorded,
       coalesce(u.unexplained, '{}') AS unexplained_sums,
       u.compared_at
FROM shops s
LEFT JOIN connection_stand c ON c.connection_id = s.connection_id
LEFT JOIN (
    SELECT o.shop_id,
           count(*) FILTER (WHERE o.state = 'due') AS due,
           count(*) FILTER (WHERE o.state = 'uncertain') AS uncertain,
           min(o.paid_moment) AS oldest_at
    FROM orders o WHERE o.state IN ('due', 'uncertain') GROUP BY o.shop_id
) w USING (shop_id)
LEFT JOIN LATERAL (
    SELECT count(*) AS waiting,
           min(o.paid_moment) FILTER (WHERE o.reason_code IN ('unknown_shop', 'connection_stopped')) AS oldest_at
    FROM orders o WHERE o.shop_id = s.shop_id AND o.state = 'waiting'
) h ON true
LEFT JOIN (
    SELECT k.shop_id, sum(k.orders) AS parked, min(k.oldest_at) AS oldest_at,
           jsonb_object_agg(k.currency, k.total) AS sums
    FROM (SELECT o.shop_id, o.currency, count(*) AS orders, min(o.paid_moment) AS oldest_at,
                 coalesce(sum(o.grand_total), 0) AS total
          FROM orders o WHERE o.state = 'parked' GROUP BY o.shop_id, o.currency) k
    GROUP BY k.shop_id
) p USING (shop_id)
LEFT JOIN LATERAL (
    SELECT count(*) AS rejected FROM rejected_events e WHERE e.shop_id = s.shop_id AND e.state = 'open'
) r ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS missing FROM completeness_missing k WHERE k.shop_id = s.shop_id
) m ON true
LEFT JOIN LATERAL (
    SELECT jsonb_object_agg(k.currency, k.unexplained) AS unexplained, min(k.compared_at) AS compared_at
    FROM reconcile_money k WHERE k.connection_id = s.connection_id AND k.shop_id = s.shop_id
) u ON true
WHERE s.shop_id = (SELECT booked_shop_read()) OR has_table_privilege('connections', 'SELECT');
