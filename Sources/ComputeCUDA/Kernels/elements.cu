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

KERNEL normalize_channels(const cuda_normalize n) {
    for (long long i = first_element(); i < n.count; i += element_stride()) {
        const int channel = (int)(i % n.channels);
        n.y[i] = (n.x[i] - n.mean[channel]) / n.deviation[channel];
    }
}

KERNEL blend(const cuda_blend b) {
    for (long long i = first_element(); i < b.count; i += element_stride()) {
        const float share = b.kept[i / b.channels % b.positions];
        b.y[i] = share == 1 ? b.known[i] : (1 - share) * b.x[i] + share * b.known[i];
    }
}

KERNEL pool(const cuda_pool p) {
    for (long long i = first_element(); i < p.count; i += element_stride()) {
        const long long channel = i % p.channels, column = i / p.channels % p.columns;
        const long long row = i / p.channels / p.columns;
        const long long line = (long long)p.columns * p.width * p.channels;
        const float *x = p.x + row * p.height * line + column * p.width * p.channels + channel;
        float sum = 0, most = x[0];
        for (int y = 0; y < p.height; y++) {
            for (int c = 0; c < p.width; c++) {
                const float value = x[y * line + (long long)c * p.channels];
                sum += value;
                most = most > value ? most : value;
            }
        }
        p.y[i] = p.maximum ? most : sum / (p.height * p.width);
    }
}

KERNEL accumulate_rows(const cuda_accumulate a) {
    const long long ofSample = (long long)a.touched * a.channels;
    for (long long i = first_element(); i < a.samples * ofSample; i += element_stride()) {
        const long long sample = i / ofSample, channel = i % a.channels;
        const int first = (int)(i % ofSample / a.channels);
        float *target = a.sums + (sample * a.total + (a.start + first) % a.total) * a.channels + channel;
        float sum = *target;
        for (int row = first; row < a.rows; row += a.total) {
            sum += a.factors[row] * a.x[(sample * a.rows + row) * a.channels + channel];
        }
        *target = sum;
    }
}

KERNEL divide_rows(const cuda_divide d) {
    for (long long i = first_element(); i < d.count; i += element_stride()) {
        d.y[i] = d.x[i] / d.divisors[i / d.channels % d.rows];
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
