-- A pattern: copies a table of scores into a file of its own, cells cast and rows judged.
-- relation, texts and target are filled in by imports.py. fault names the first thing that is
-- wrong with a row, NULL where nothing is; value_text is a value that is no number, as found.

create temp view networks as
select architecture, layer
from stored.store.loss_networks
join stored.store.architectures using (architecture_id);

-- Looked up instead of joined: a join would not keep the order of the rows.
set variable score_names = (select list(score order by score_id) from stored.store.scores);
set variable benchmarks = (select list(benchmark order by score_id) from stored.store.scores);
set variable minima = (select list(minimum order by score_id) from stored.store.scores);
set variable maxima = (select list(maximum order by score_id) from stored.store.scores);

copy (
    with texts as (
        select
        $texts
        from $relation
    ),
    numbered as (
        select *, list_position(getvariable('score_names'), score) as score_number from texts
    ),
    typed as (
        select
            texts.*,
            getvariable('benchmarks')[score_number] as of_score,
            coalesce(texts.benchmark, of_score) as benchmark_or_its,
            getvariable('minima')[score_number] as minimum,
            getvariable('maxima')[score_number] as maximum,
            try_cast(texts.value as double) as number,
            try_cast(texts.n as bigint) as items,
            try_cast(texts.seed as bigint) as seed_number,
            try_cast(texts.recorded_at as timestamptz) as time,
            try_cast(texts.duration_s as double) as seconds,
            try_cast(texts.peak_memory_bytes as bigint) as bytes
        from numbered as texts
    ),
    judged as (
        select
            *,
            case
                when architecture is null then 'no_architecture'
                when layer is null then 'no_layer'
                when score is null then 'no_score'
                when of_score is null then 'bad_score'
                when benchmark <> of_score then 'bad_benchmark'
                when value is null then 'no_value'
                when number is null or not isfinite(number) then 'bad_value'
                when number < minimum or number > maximum then 'out_of_range'
                when regexp_matches(architecture, '[[:cntrl:]]')
                    or regexp_matches(layer, '[[:cntrl:]]')
                    or regexp_matches(concat(node, preset, weights, data, device), '[[:cntrl:]]')
                    or regexp_matches(run_id, '[[:cntrl:]]')
                    or length(architecture) > 200
                    or length(layer) > 200
                    or length(run_id) > 200
                    or greatest(
                        length(node), length(preset), length(weights), length(data),
                        length(device)
                    ) > 200
                    then 'bad_name'
                when n is not null
                    and (
                        items is null or items < 1
                        or not regexp_full_match(n, '\+?\d+(\.0*)?')
                    )
                    then 'bad_n'
                when seed is not null
                    and (seed_number is null or not regexp_full_match(seed, '[+-]?\d+(\.0*)?'))
                    then 'bad_seed'
                when recorded_at is not null and time is null then 'bad_time'
                when not json_valid(config) or json_type(try_cast(config as json)) <> 'OBJECT'
                    or not json_valid(versions)
                    or json_type(try_cast(versions as json)) <> 'OBJECT'
                    or length(regexp_replace(concat(config, versions), '[^\[{]', '', 'g')) > 500
                    then 'bad_json'
                when (
                        duration_s is not null
                        and (seconds is null or not isfinite(seconds) or seconds < 0)
                    )
                    or (peak_memory_bytes is not null and (bytes is null or bytes < 0))
                    then 'bad_size'
            end as fault
        from typed
    ),
    final as (
        select
            coalesce(
                run_id,
                left(
                    sha256(
                        json_array(
                            benchmark_or_its, architecture, weights, config, seed_number, data,
                            preset
                        )::varchar
                    ),
                    16
                )
            ) as run_id,
            benchmark_or_its as benchmark,
            preset,
            seed_number as seed,
            weights,
            config,
            data,
            versions,
            device,
            coalesce(time at time zone 'UTC', current_timestamp at time zone 'UTC')
                as recorded_at,
            seconds as duration_s,
            bytes as peak_memory_bytes,
            architecture,
            layer,
            node,
            score,
            number as value,
            items as n,
            fault,
            case when fault is not null then value end as value_text,
            case when source = 'paper' then source end as source
        from judged
    )
    select * from final
) to '$target' (format parquet, compression zstd, compression_level 1);

create temp view everything as
select file_row_number + 1 as row, * exclude (file_row_number)
from read_parquet('$target', file_row_number = true);

create temp view staged as from everything where source is null;

create temp view known as
select runs.run_id, architectures.architecture, loss_networks.layer, scores.score,
    measurements.value
from stored.store.measurements
join (
    select run, run_id
    from stored.store.runs
    semi join (select distinct run_id from staged) using (run_id)
) as runs using (run)
join stored.store.scores using (score_id)
join stored.store.loss_networks using (loss_network_id)
join stored.store.architectures using (architecture_id);
