import AudioLDM2
