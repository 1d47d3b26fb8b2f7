// Numbers that scalar and vector attention share, because their integers must be the same.
#ifndef AUDIOLDM2_ATTENTION_CONSTANTS_H
#define AUDIOLDM2_ATTENTION_CONSTANTS_H

#define INVERSE_LN_2 1.44269504f
#define LOG2_255 7.99435344f

// What is added to the score where there is no key, and the least that a mask can add: less than any score, and apart.
#define NO_KEY -3e38f
#define LEAST_OFFSET -1e30f

// 2ᵗ for −½ ≤ t ≤ ½ with a relative error of 7.5e-5: a minimax fit of our own.
#define POWER_0 0.99992807f
#define POWER_1 0.69326099f
#define POWER_2 0.24261112f
#define POWER_3 0.05517167f

// Powers of 2 below this round to zero by far.
#define LEAST_POWER -20.0f

// 1.5 · 2²³: after adding it, a float's last bits are an integer, rounded to nearest even.
#define ROUNDING_SHIFT 12582912.0f

#endif
