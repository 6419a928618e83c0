"""Does ImageNet accuracy matter: Figure 5."""

from __future__ import annotations

from lossnets.reports.page import theme
from lossnets.reports.page.page import Filter, Page
from lossnets.reports.page.section import Section
from lossnets.reports.page.study_figures import ordered
from lossnets.reports.paper import figures


def imagenet_accuracy(page: Page) -> dict[str, object]:
    """Figure 5: best MRD quality against ImageNet accuracy."""
    catalog = set(page.frames().attribute_catalog["attribute"])
    attributes = [a for a in ("paper_imagenet_top1", "imagenet_top1") if a in catalog]
    query = page.query("figure_05", attributes=attributes)
    frame = query.frame
    families = ordered(page.frames().architectures["family"])
    filters = [Filter(field="family", label="Family", values=families, marks=theme.marks(families))]
    if len(attributes) > 1:
        labels = {"paper_imagenet_top1": "printed in Table I", "imagenet_top1": "torchvision's"}
        filters.append(
            Filter(field="attribute", label="ImageNet accuracy", values=attributes, labels=labels)
        )
    chart = figures.quality_against_accuracy(frame, families)
    per = frame[frame["source"] == "paper"].groupby("attribute")
    correlations = per[["accuracy", "mrd_quality"]].apply(
        lambda cells: cells["accuracy"].corr(cells["mrd_quality"], method="spearman")
    )
    return {
        "quality": page.figure("figure_05", chart, query, number="5", filters=filters),
        "correlations": correlations.to_dict(),
        "both": len(attributes) > 1,
        "architectures": frame["architecture"].nunique(),
    }


SECTION = Section(
    name="imagenet_accuracy",
    title="Does ImageNet accuracy matter",
    order=70,
    build=imagenet_accuracy,
)
