/// What the page says beside its questions.
enum PageTexts {
    static let welcome = [
        "Thank you for listening. Please use headphones, sit somewhere quiet, and set a comfortable volume that you leave as it is.",
        "Nothing is sent anywhere: your answers stay in this browser until you save them at the end. You can close the page and come back; it goes on where you were.",
    ]

    static let headphones = [
        "First a short check for headphones: you hear three tones, and say which is the quietest. It is done six times."
    ]

    static let thanks = [
        "That was the last sound. Please save your answers and send the file to whoever invited you."
    ]

    static func instructions(_ options: ListeningTestOptions) -> [String] {
        var texts = [
            "Play each sound to its end; then you can answer. You may play it again.",
            "There is no right or wrong: say what you hear.",
        ]
        if options.questions == [.mushra] {
            texts[0] = "Play each sound to its end at least once; then its slider opens."
        } else {
            texts.append("Judge each sound for itself, and use the whole scale.")
        }
        if options.traps > 0, options.questions != [.mushra] {
            texts.append(
                "Now and then there are only beeps instead of a sound: then answer with the number of beeps, so 3 for three beeps, whatever the question or the text is."
            )
        }
        texts.append("You can take a break at any time between two sounds.")
        return texts
    }
}
