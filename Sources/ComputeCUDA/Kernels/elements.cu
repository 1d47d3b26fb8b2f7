// Element by element, and from place to place.

KERNEL apply(const cuda_apply a) {
    for (long long i = first_element(); i < a.count; i += element_stride()) a.y[i] = activated(a.x[i], a.activation);
}

KERNEL gate(const cuda_gate g) {
    for (long long i = first_element(); i < g.rows * g.channels; i += element_stride()) {
        const float *x = g.x + i / g.channels * 2 * g.channels + i % g.channels;
        g.y[i] = x[0] * activated(x[g.channels], g.activation);
    }
}

KERNEL combine(const cuda_combine c) {
    for (long long i = first_element(); i < c.count; i += element_stride()) {
        float sum = c.adds ? c.y[i] : 0;
#pragma unroll
        for (int term = 0; term < CUDA_MOST_TERMS; term++) {
            if (term < c.terms) sum += c.factors[term] * c.x[term][i];
        }
        c.y[i] = sum;
    }
}

KERNEL copy_runs(const cuda_copy c) {
    for (long long i = first_element(); i < c.runs * c.length; i += element_stride()) {
        const long long run = i / c.length, place = i % c.length;
        c.y[run * c.y_stride + place] = c.x[run * c.x_stride + place];
    }
}

KERNEL copy_rows(const cuda_rows r) {
    const long long ofSample = (long long)r.count * r.channels;
    for (long long i = first_element(); i < r.samples * ofSample; i += element_stride()) {
        const long long sample = i / ofSample, place = i % ofSample / r.channels, channel = i % r.channels;
        r.y[i] = r.x[(sample * r.rows + r.order[place]) * r.channels + channel];
    }
}
