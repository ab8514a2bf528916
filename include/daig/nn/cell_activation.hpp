#pragma once

/// The activation functions within the cells of recurrent layers.

namespace daig::nn {

/// As with Activation, each has a derivative that follows from its value y alone. There are two
/// hard sigmoids: Keras before 3 has clip(x / 5 + 1/2, 0, 1), Keras 3 has clip(x / 6 + 1/2, 0, 1).
/// Their derivatives are the slope where 0 < y < 1, else 0.
enum class CellActivation { linear, relu, tanh, sigmoid, hard_sigmoid_5, hard_sigmoid_6 };

/// What a cell with gates applies to its candidate (and an LSTM to its cell state), and to its
/// gates.
struct CellActivations {
  CellActivation candidate = CellActivation::tanh;
  CellActivation gates = CellActivation::sigmoid;
};

}  // namespace daig::nn
