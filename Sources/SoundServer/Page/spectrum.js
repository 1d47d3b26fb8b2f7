// Sounds as pictures: a spectrogram above, the waveform below.

// Length of the frames that are transformed, in seconds.
const frameSeconds = 0.032;
// Range of levels that is drawn, in dB below the loudest.
const depth = 70;

// The samples of a sound at a rate; throws for a file that this browser cannot read.
export async function decode(blob, rate) {
  const sound = await new OfflineAudioContext(1, 1, rate).decodeAudioData(await blob.arrayBuffer());
  return { samples: sound.getChannelData(0), seconds: sound.duration };
}

// A canvas with the sound's picture, from 0 Hz to half the rate; `top` rows are the spectrogram's.
export function soundImage(samples, rate, width, height, top) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  drawSpectrogram(image, levels(samples, rate, width), top);
  drawWaveform(image, samples, top);
  context.putImageData(image, 0, 0);
  return canvas;
}

// Levels in dB of frames that are spread evenly, and the loudest.
function levels(samples, rate, frames) {
  const size = 2 ** Math.round(Math.log2(rate * frameSeconds));
  const transform = fourier(size);
  const window = Float32Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size));
  const real = new Float32Array(size), imaginary = new Float32Array(size);
  const bins = size / 2;
  const values = new Float32Array(frames * bins);
  let loudest = -Infinity;
  for (let frame = 0; frame < frames; frame += 1) {
    const start = Math.round(((frame + 0.5) / frames) * samples.length) - size / 2;
    for (let i = 0; i < size; i += 1) real[i] = (samples[start + i] || 0) * window[i];
    imaginary.fill(0);
    transform(real, imaginary);
    for (let bin = 0; bin < bins; bin += 1) {
      const level = 10 * Math.log10(real[bin] ** 2 + imaginary[bin] ** 2 + 1e-12);
      values[frame * bins + bin] = level;
      if (level > loudest) loudest = level;
    }
  }
  return { values, bins, loudest };
}

function drawSpectrogram({ data, width }, { values, bins, loudest }, top) {
  for (let y = 0; y < top; y += 1) {
    const bin = Math.floor(((top - 1 - y) / top) * bins);
    for (let x = 0; x < width; x += 1) {
      const share = Math.min(Math.max((values[x * bins + bin] - loudest + depth) / depth, 0), 1);
      const at = 4 * (y * width + x);
      data[at] = 255 * Math.min(1, Math.max(0, 3 * share - 0.7));
      data[at + 1] = 255 * Math.min(1, Math.max(0, 2.2 * share - 1));
      data[at + 2] = 255 * Math.max(0, share < 0.45 ? 1.6 * share : 1.15 - share);
      data[at + 3] = 255;
    }
  }
}

function drawWaveform({ data, width, height }, samples, top) {
  const step = samples.length / width;
  const middle = (top + height) / 2, half = (height - top) / 2;
  for (let x = 0; x < width; x += 1) {
    let low = 0, high = 0;
    for (let i = Math.floor(x * step); i < (x + 1) * step && i < samples.length; i += 1) {
      low = Math.min(low, samples[i]);
      high = Math.max(high, samples[i]);
    }
    for (let y = top; y < height; y += 1) {
      const isOn = y >= middle - high * half - 0.5 && y <= middle - low * half + 0.5;
      data.set(isOn ? [229, 138, 75, 255] : [24, 21, 16, 255], 4 * (y * width + x));
    }
  }
}

// Cooley and Tukey's transform of `size` values, in place.
function fourier(size) {
  const cosines = Float64Array.from({ length: size / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / size));
  const sines = Float64Array.from({ length: size / 2 }, (_, i) => -Math.sin((2 * Math.PI * i) / size));
  const reversed = new Uint32Array(size);
  for (let i = 1; i < size; i += 1) reversed[i] = (reversed[i >> 1] >> 1) | (i & 1 ? size >> 1 : 0);
  return (real, imaginary) => {
    for (let i = 0; i < size; i += 1) {
      const j = reversed[i];
      if (i >= j) continue;
      [real[i], real[j]] = [real[j], real[i]];
      [imaginary[i], imaginary[j]] = [imaginary[j], imaginary[i]];
    }
    for (let length = 2; length <= size; length *= 2) {
      const half = length / 2, stride = size / length;
      for (let start = 0; start < size; start += length) {
        for (let k = 0; k < half; k += 1) {
          const a = start + k, b = a + half;
          const c = cosines[k * stride], s = sines[k * stride];
          const x = real[b] * c - imaginary[b] * s, y = real[b] * s + imaginary[b] * c;
          real[b] = real[a] - x;
          imaginary[b] = imaginary[a] - y;
          real[a] += x;
          imaginary[a] += y;
        }
      }
    }
  };
}
