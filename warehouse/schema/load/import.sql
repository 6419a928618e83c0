-- A pattern: copies a table of scores into a file of its own, cells cast and rows judged.
-- relation, texts, field_faults and target are filled in by staging.py. fault names the first
-- thing that is wrong with a row, NULL where nothing is; told is the whole of such a row in JSON,
-- with what the catalog says of its score.

copy (
    with texts as (
        select
        $texts
        from $relation
    ),
    of_scores as (
        select
            *,
            getvariable('scores')[list_position(getvariable('score_names'), score)] as catalog
        from texts
    ),
    typed as (
        select
            *,
            coalesce(benchmark, catalog.benchmark) as benchmark_or_its,
            nullif(coalesce(source, getvariable('asked')), 'measured') as whose,
            try_cast(value as double) as number
        from of_scores
    ),
    judged as (
        select
            *,
            case
                when architecture is null and baseline is null then 'no_architecture'
                when layer is null and baseline is null then 'no_layer'
                when baseline is not null and coalesce(architecture, layer) is not null
                    then 'with_baseline'
                when score is null then 'no_score'
                when catalog is null then 'bad_score'
                when value is null then 'no_value'
                when number is null or not isfinite(number) or contains(value, '_')
                    then 'bad_value'
                when benchmark <> catalog.benchmark then 'other:benchmark'
                when dataset <> catalog.dataset then 'other:dataset'
                when metric <> catalog.metric then 'other:metric'
                when scale is not null
                    and try_cast(scale as double) is distinct from catalog.scale
                    then 'other:scale'
                when unit <> catalog.unit then 'other:unit'
                when minimum is not null
                    and try_cast(minimum as double) is distinct from catalog.minimum
                    then 'other:minimum'
                when maximum is not null
                    and try_cast(maximum as double) is distinct from catalog.maximum
                    then 'other:maximum'
                when decimals is not null
                    and try_cast(decimals as double) is distinct from catalog.decimals
                    then 'other:decimals'
                when label <> catalog.label then 'other:label'
                when trained_model is not null and trained_model is distinct from catalog.trained_model
                    then 'other:trained_model'
                when higher_is_better is not null
                    and try_cast(higher_is_better as boolean)
                        is distinct from catalog.higher_is_better
                    then 'other:higher_is_better'
                when layer_position is not null
                    and try_cast(layer_position as double) is distinct from
                        list_position(['early', 'semi_early', 'middle', 'late'], layer)
                    then 'other:layer_position'
                when number < catalog.minimum or number > catalog.maximum then 'out_of_range'
                when not list_contains(getvariable('sources'), source) then 'bad_source'
                when source <> getvariable('asked') then 'other_source'
                when baseline is not null and config is not null
                    and length(config) < 10_000  -- deeper JSON would exhaust the stack
                    and json_valid(config)
                    and config->>'$$.baseline' is distinct from baseline
                    then 'other_baseline'
$field_faults
            end as fault
        from typed
    ),
    final as (
        select
            coalesce(
                run_id,
                left(
                    sha256(
                        case
                            when whose is null then json_array(
                                benchmark_or_its, architecture, weights, config_or_baseline,
                                try_cast(seed as bigint), data, preset
                            )
                            else json_array(
                                benchmark_or_its, architecture, weights, config_or_baseline,
                                try_cast(seed as bigint), data, preset, whose
                            )
                        end::varchar
                    ),
                    16
                )
            ) as run_id,
            benchmark_or_its as benchmark,
            preset,
            try_cast(seed as bigint) as seed,
            weights,
            config_or_baseline as config,
            data,
            versions,
            device,
            coalesce(try_cast(recorded_at as timestamptz), current_timestamp) at time zone 'UTC'
                as recorded_at,
            try_cast(duration_s as double) as duration_s,
            try_cast(peak_memory_bytes as bigint) as peak_memory_bytes,
            architecture,
            layer,
            node,
            family,
            score,
            number as value,
            try_cast(n as bigint) as n,
            baseline,
            whose as source,
            fault,
            case when fault is not null then to_json(found)::varchar end as told
        from (
            select
                *,
                case
                    when config is null and baseline is not null
                        then json_object('baseline', baseline)::varchar
                    else config
                end as config_or_baseline,
                judged as found
            from judged
        )
    )
    select * from final
) to '$target' (format parquet, compression zstd, compression_level 1);
