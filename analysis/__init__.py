"""The studies: DataFrame in, DataFrame out."""
