// WeightFile
