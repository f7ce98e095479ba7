// Pictures as a model's numbers: [channels, height, width], from 0 to what its data has for white.
export function scaleOf(data) {
  return data.scale > 1 ? data.scale : 1;
}

// The picture fills the canvas, cut to its shape where it differs.
export function drawPicture(canvas, picture) {
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const side = Math.max(canvas.width / picture.width, canvas.height / picture.height);
  const [width, height] = [picture.width * side, picture.height * side];
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(picture, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
}

// Means over the pixels that each of the model's pixels covers.
export function numbersOf(canvas, [channels, height, width], scale, isInverted) {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const numbers = new Array(channels * height * width).fill(0), [fx, fy] = [canvas.width / width, canvas.height / height];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const sums = [0, 0, 0];
      let pixels = 0;
      for (let v = Math.floor(y * fy); v < Math.max(Math.floor(y * fy) + 1, Math.floor((y + 1) * fy)); v++) {
        for (let u = Math.floor(x * fx); u < Math.max(Math.floor(x * fx) + 1, Math.floor((x + 1) * fx)); u++) {
          const at = 4 * (v * canvas.width + u);
          for (let c = 0; c < 3; c++) sums[c] += data[at + c];
          pixels++;
        }
      }
      const color = sums.map(sum => (isInverted ? 255 - sum / pixels : sum / pixels));
      const values = channels === 1 ? [0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]] : color;
      for (let c = 0; c < channels; c++) numbers[(c * height + y) * width + x] = Math.round(values[c] * scale / 255 * 1e4) / 1e4;
    }
  }
  return numbers;
}

// Drawing with a pen: white on black, as handwritten digits are.
export function makePad(canvas, onDrawn) {
  const context = canvas.getContext('2d', { willReadFrequently: true });
  let last = null;
  const at = event => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) * canvas.width / box.width, (event.clientY - box.top) * canvas.height / box.height];
  };
  const line = (from, to) => {
    context.strokeStyle = '#fff';
    context.lineWidth = canvas.width / 9;
    context.lineCap = context.lineJoin = 'round';
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(...to);
    context.stroke();
  };
  canvas.addEventListener('pointerdown', event => {
    canvas.setPointerCapture(event.pointerId);
    last = at(event);
    line(last, last);
  });
  canvas.addEventListener('pointermove', event => {
    if (!last) return;
    const next = at(event);
    line(last, next);
    last = next;
  });
  canvas.addEventListener('pointerup', () => {
    if (!last) return;
    last = null;
    onDrawn();
  });
  const clear = () => {
    context.fillStyle = '#000';
    context.fillRect(0, 0, canvas.width, canvas.height);
  };
  clear();
  return clear;
}
