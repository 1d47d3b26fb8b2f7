// AudioLDM2
